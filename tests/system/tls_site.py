"""The configuration of a site behind TLS, of which the certificate stands in `live.pem`."""

NAME = "a.example.com"
TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[listeners.web.tls]
certificates = ["{path}/live.pem"]
{tls}
[backends.app.servers]
a = "127.0.0.1:{port}"
"""
