"""The question before a change of a server: the change, its meaning, and the reason for it."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

MEANING = {
    "drain": "It takes nothing new and finishes what it has.",
    "maint": "It takes nothing new and is not wanted at all, whatever its checks say.",
    "ready": "It takes requests again as soon as its checks say that it is well.",
}


class ConfirmScreen(ModalScreen[str | None]):
    """A dialog that returns the typed reason, or None when it is cancelled."""

    CSS = """
    ConfirmScreen { align: center middle; }
    ConfirmScreen Vertical { width: 64; max-width: 95%; height: auto; padding: 0 2;
                             border: round $primary; background: $surface; }
    ConfirmScreen Input { margin: 1 0 0 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, mode: str, target: str, in_flight: int) -> None:
        super().__init__()
        self.mode = mode
        self.target = target
        self.in_flight = in_flight

    def compose(self) -> ComposeResult:
        """The question, the input of the reason, and the keys."""
        with Vertical():
            yield Static(Text.assemble((f"{self.mode} {self.target}?", "bold"), f"\n{MEANING[self.mode]}"
                                       f"\nIn flight now: {self.in_flight}."))
            yield Input(placeholder="reason (may be empty)", max_length=200)
            yield Static(Text.assemble(("Enter", "bold"), f" {self.mode}   ", ("Esc", "bold"), " cancel"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Confirm with the reason."""
        self.dismiss(event.value)
