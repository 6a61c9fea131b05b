"""Currencies that became the euro after its first fixing: from when, and at which rate.

Units per euro, fixed for ever by the Council; the ECB's table ends on the day before.
"""

from collections.abc import Mapping
from datetime import date

IRREVOCABLE: Mapping[str, tuple[date, str]] = {
    "GRD": (date(2001, 1, 1), "340.750"),
    "SIT": (date(2007, 1, 1), "239.640"),
    "CYP": (date(2008, 1, 1), "0.585274"),
    "MTL": (date(2008, 1, 1), "0.429300"),
    "SKK": (date(2009, 1, 1), "30.1260"),
    "EEK": (date(2011, 1, 1), "15.6466"),
    "LVL": (date(2014, 1, 1), "0.702804"),
    "LTL": (date(2015, 1, 1), "3.45280"),
    "HRK": (date(2023, 1, 1), "7.53450"),
    "BGN": (date(2026, 1, 1), "1.95583"),
}
