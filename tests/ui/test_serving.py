"""How the pages are served."""


def test_no_files_are_watched() -> None:
    """Watching the checkout fills the terminal with warnings of lost file events, and costs time."""
    from streamlit import config

    assert config.get_option("server.fileWatcherType") == "none"
