"""Every statistic that pages show, beside public implementations of the same figure."""
