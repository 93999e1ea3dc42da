"""The only place where the parts meet: records in, alarms and views out."""

from __future__ import annotations

from streamgauge.monitor.configuration import Configuration, ConfigurationBook
from streamgauge.monitor.partition_monitor import PartitionMonitor

__all__ = ["Configuration", "ConfigurationBook", "PartitionMonitor"]
