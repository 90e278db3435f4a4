"""Head office: ingest, projections, real-time services, monitoring, period close and screen."""
