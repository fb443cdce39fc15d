"""stub"""

from jinja2 import Environment


def portal_templates(files):
    return Environment(autoescape=True)
