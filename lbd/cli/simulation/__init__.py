"""What `lbd simulate` shows: pages, pictures and charts of a simulated run."""
