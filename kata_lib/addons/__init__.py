"""Add-ons of a cluster: installed by one call, opened by another."""

from kata_lib.addons.catalog import NAMES, install, opened, with_page
from kata_lib.addons.dashboards import dashboards

__all__ = ["NAMES", "dashboards", "install", "opened", "with_page"]
