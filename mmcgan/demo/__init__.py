"""A page in the browser on which models are tried (``mmcgan demo``): a file per tab."""
