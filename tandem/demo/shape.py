"""The shape of Tarnbeck's trade: every figure and date that steers it.

Change a number here, run `generate.py`, and the company trades differently.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

SEED = 20241283  # picked among a few hundred: growth by category comes close to TREND
FIRST_DAY = date(2024, 11, 1)
SNAPSHOT_DAY = date(2026, 10, 31)
FIRST_ORDER_ID = 20001
PRICE_RISE_DAY = date(2025, 9, 1)
PRICE_RISE_PERCENT = {1: 4, 2: 6, 4: 5, 6: 3, 8: 4}  # by category

# --- what is bought, and how much -------------------------------------------------------------

# Sales of a category in each month, January to December, 1.0 being an average month.
SEASON = {
    1: (0.75, 0.90, 1.25, 1.35, 1.25, 1.15, 1.05, 0.95, 0.95, 0.85, 0.80, 0.75),
    2: (0.85, 1.00, 1.25, 1.20, 1.10, 1.05, 0.95, 0.95, 0.95, 0.95, 0.90, 0.85),
    3: (0.85, 0.95, 1.20, 1.15, 1.05, 1.00, 0.95, 0.95, 1.05, 1.10, 0.95, 0.80),
    4: (0.80, 1.00, 1.30, 1.25, 1.15, 1.05, 0.95, 0.90, 0.95, 1.00, 0.90, 0.75),
    5: (0.80, 0.95, 1.20, 1.25, 1.15, 1.10, 1.00, 0.95, 0.95, 0.95, 0.90, 0.80),
    6: (1.05, 0.85, 0.65, 0.55, 0.50, 0.50, 0.60, 0.95, 1.45, 1.80, 1.70, 1.40),
    7: (0.70, 0.80, 1.05, 1.25, 1.40, 1.35, 1.20, 0.95, 0.85, 0.80, 0.80, 0.85),
    8: (0.80, 0.80, 1.10, 1.20, 1.15, 1.00, 0.85, 0.90, 1.05, 1.10, 1.05, 1.00),
    9: (1.05, 1.10, 1.10, 1.00, 0.95, 0.90, 0.85, 0.90, 0.95, 1.00, 1.20, 1.10),
    10: (0.85, 0.95, 1.20, 1.20, 1.10, 1.05, 1.00, 0.95, 0.95, 1.00, 0.95, 0.80),
}

# Growth of a category in a year.
TREND = {1: 0.10, 2: 0.06, 3: 0.16, 4: -0.08, 5: -0.02, 6: 0.20, 7: 0.32, 8: 0.12, 9: -0.06, 10: 0.08}

# How much more (or less) than others a kind of customer likes a category.
LIKING = {
    "shop": {},
    "online": {1: 1.3, 2: 1.2, 6: 1.3, 9: 1.3, 4: 0.5},
    "road": {1: 1.4, 2: 1.4, 5: 1.3, 8: 1.3, 7: 0.3},
    "mtb": {1: 1.3, 2: 1.5, 3: 1.6, 7: 0.4, 6: 0.7},
    "commuter": {6: 1.8, 7: 1.8, 8: 1.4, 2: 0.5, 4: 0.6},
    "touring": {7: 2.2, 4: 1.6, 6: 1.2, 2: 0.7},
    "workshop": {9: 2.2, 10: 2.0, 3: 1.5, 2: 1.4, 8: 0.2, 7: 0.4},
    "rental": {1: 1.6, 3: 1.4, 8: 1.4, 5: 1.3, 4: 0.6, 6: 0.5},
}


@dataclass(frozen=True)
class Tier:
    """How customers of one size buy."""

    orders: float  # in the whole period
    size: float  # factor on a product's lot
    line_counts: tuple  # weights of 1, 2, ... 8 lines in an order


TIERS = {
    "A": Tier(44, 5.6, (14, 22, 23, 18, 11, 7, 3, 2)),
    "B": Tier(15, 3.3, (25, 28, 21, 13, 7, 4, 2, 1)),
    "C": Tier(8.3, 2.1, (35, 30, 18, 9, 5, 2, 1, 0)),
    "D": Tier(3.5, 1.3, (44, 31, 16, 6, 3, 0, 0, 0)),
}

# Bought with the first product, often enough, is the second.
COMPANIONS = {
    1: 9, 2: 9, 3: 12, 4: 12, 5: 10, 7: 9,  # tyre: tube
    15: 85, 16: 86, 19: 16,  # chain: oil, cassette: chain
    24: 26, 25: 27, 28: 32,  # pads: rotor, brake: fluid
    50: 51, 59: 64, 64: 59, 66: 71,  # front light: rear light, pannier: rack, child seat: helmet
}
COMPANION_CHANCE = 0.22
HABIT = 3.0  # factor on the pull of what this customer has bought before

# A lot is multiplied by a number between these two, with these weights.
LOT_FACTORS = {(0.35, 1.0): 57, (0.9, 1.9): 33, (2.2, 4.8): 10}

# From this many lots on, these discounts in percent are given, with these weights.
DISCOUNTS = (
    (12.0, {15: 30, 20: 70}),
    (8.0, {10: 30, 15: 60, 20: 10}),
    (5.5, {0: 15, 5: 30, 10: 45, 15: 10}),
    (4.0, {0: 60, 5: 30, 10: 10}),
    (0.0, {0: 95, 5: 5}),
)

# --- the calendar -------------------------------------------------------------------

WEEKDAY_PACE = (1.25, 1.1, 1.0, 0.95, 0.7)  # Monday to Friday


def days(*spans):
    """The days of spans like '2024-12-24..2024-12-26' or single days, as a set."""
    found = set()
    for span in spans:
        first, _, last = span.partition("..")
        day, end = date.fromisoformat(first), date.fromisoformat(last or first)
        while day <= end:
            found.add(day)
            day += timedelta(days=1)
    return found


# Tarnbeck is closed: neither orders nor deliveries.
CLOSED = days(
    "2024-11-28", "2024-12-25..2024-12-26", "2025-01-01", "2025-05-26", "2025-07-04", "2025-09-01", "2025-11-27",
    "2025-12-25..2025-12-26", "2026-01-01", "2026-05-25", "2026-07-03", "2026-09-07",
)
# Open, but hardly anybody orders.
SLACK = days(
    "2024-11-29", "2024-12-23..2025-01-03", "2025-04-18..2025-04-21", "2025-11-28", "2025-12-22..2026-01-02",
    "2026-04-03..2026-04-06",
)
# The warehouse counts its stock: orders come in, nothing goes out.
STOCKTAKE = days("2025-10-29..2025-10-31", "2026-10-26..2026-10-31")

# A country is on holiday: this share of its usual orders.
AWAY = {
    "France": (0.3, days("2025-08-01..2025-08-24", "2026-08-01..2026-08-23", "2025-07-14", "2026-07-14")),
    "Spain": (0.3, days("2025-08-01..2025-08-31", "2026-08-01..2026-08-31")),
    "Sweden": (0.3, days("2025-07-07..2025-07-31", "2026-07-06..2026-07-31", "2025-06-20", "2026-06-19")),
    "Greece": (0.2, days("2025-08-08..2025-08-20", "2026-08-07..2026-08-20")),
    "Germany": (0.0, days("2025-05-01", "2025-10-03", "2026-05-01")),
    "Poland": (0.0, days("2024-11-11", "2025-05-01", "2025-11-11", "2026-05-01")),
    "Japan": (0.0, days("2025-04-29..2025-05-06", "2026-04-29..2026-05-06", "2025-08-13..2025-08-15")),
    "South Korea": (0.0, days("2025-01-27..2025-01-30", "2025-10-03..2025-10-09", "2026-02-16..2026-02-18")),
    "China": (
        0.0,
        days("2025-01-28..2025-02-04", "2025-10-01..2025-10-08", "2026-02-16..2026-02-23", "2026-10-01..2026-10-07"),
    ),
    "Israel": (0.1, days("2025-04-13..2025-04-18", "2025-09-22..2025-09-24", "2026-04-02..2026-04-08")),
    "United Arab Emirates": (0.4, days("2025-03-01..2025-04-02", "2026-02-18..2026-03-22")),
}


def is_working_day(day):
    return day.weekday() < 5 and day not in CLOSED


def dispatches(day):
    return is_working_day(day) and day not in STOCKTAKE


def category_pace(category_id, day):
    """Sales of a category on this day, 1.0 being an average day at the start."""
    years = (day - FIRST_DAY).days / 365
    return SEASON[category_id][day.month - 1] * (1 + TREND[category_id] * years)


WORKING_DAYS = [day for day in sorted(days(f"{FIRST_DAY}..{SNAPSHOT_DAY}")) if is_working_day(day)]

# --- sales territories and carriage ---------------------------------------------------

# Employees by territory, with weights; Salma Haddad (9) took over the south in May 2025.
TERRITORIES = {
    "USA": {8: 70, 3: 30},
    "UK": {7: 80, 4: 20},
    "Germany": {5: 75, 4: 25},
    "France": {4: 60, 7: 40},
    "Sweden": {7: 70, 5: 30},
    "Poland": {5: 100},
    "Bulgaria": {5: 100},
    "Japan": {6: 100},
    "South Korea": {6: 100},
    "China": {6: 85, 2: 15},
}
SOUTH = {"Spain", "Greece", "Israel", "United Arab Emirates"}
SOUTH_TEAM = (date(2025, 5, 12), {4: 60, 5: 40}, {9: 92, 4: 8})  # since when; before; after
HOUSE_ACCOUNTS = {
    "COPPH": {3: 75, 2: 25},
    "HANGY": {6: 60, 2: 40},
    "KETTE": {4: 85, 2: 15},
    "LAKEW": {1: 65, 3: 35},
}


@dataclass(frozen=True)
class Zone:
    """What carriage to a part of the world costs and who does it."""

    base_cents: int
    percent: float  # of the order's value
    shippers: dict


ZONES = {
    "America": Zone(690, 2.2, {1: 82, 4: 18}),
    "Europe": Zone(1450, 3.2, {2: 85, 4: 15}),
    "Overseas": Zone(2900, 4.6, {3: 88, 4: 12}),
}
OVERSEAS = {"Japan", "South Korea", "China", "Israel", "United Arab Emirates"}
REQUIRED_DAYS = {7: 9, 10: 10, 14: 33, 21: 27, 28: 21}
LATE_CHANCE = 0.055
