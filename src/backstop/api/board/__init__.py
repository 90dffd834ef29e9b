"""The board: one page that shows a slate as it is, from files in this package."""

from backstop.api.board.pages import mount
