"""One module per page: the queries it shows and how it lays them out."""
