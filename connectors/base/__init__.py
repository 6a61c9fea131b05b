"""What every connector is made of: streams, client, paging, budget, errors."""
