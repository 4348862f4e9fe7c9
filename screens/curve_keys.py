"""The keys of curves, for every screen that draws some."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace

from textual.dom import DOMNode

from screens.curves_in_sight import Sight


class CurveKeys(DOMNode):
    """A screen that draws curves as one chose to see them."""

    sight = Sight()

    @abstractmethod
    def see(self, sight: Sight) -> None:
        """Draw the curves so from now on."""

    @abstractmethod
    def measured(self) -> Mapping[str, str]:
        """Return what can be drawn: names of metrics, with what they are in words."""

    def action_smooth(self) -> None:
        """Draw the curves smoother, or as they are."""
        self.see(self.sight.smoother())

    def action_zoom(self, by: int) -> None:
        """Draw fewer steps, or more."""
        self.see(self.sight.zoomed(by))

    def action_pan(self, by: int) -> None:
        """Draw earlier or later steps."""
        self.see(self.sight.panned(by))

    def action_choose_curves(self) -> None:
        """Choose which metrics are drawn."""
        from screens.choose_curves import ChooseCurves

        def chosen(names: list[str] | None) -> None:
            if names is not None:
                self.see(replace(self.sight, names=tuple(names)))

        if found := self.measured():
            self.app.push_screen(ChooseCurves(found, self.sight.names), chosen)
