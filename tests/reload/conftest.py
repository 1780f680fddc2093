"""No process outlives its test."""

from tests.children import no_child_is_left as no_child_is_left
