"""Pictures of shares, latencies and callers, as plotly's figures and as stills; the colours of versions."""
