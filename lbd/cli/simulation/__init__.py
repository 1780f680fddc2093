"""The output of `lbd simulate`: page, chart and picture."""
