"""From a request's host and path to what is done with it: routes, answers of lbd's own, fields it adds."""
