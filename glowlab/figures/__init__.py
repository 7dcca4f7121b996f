"""Pictures that the notebooks, the command line and the documentation share."""
