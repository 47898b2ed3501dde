"""What tests stand on: servers, clocks and small worlds."""
