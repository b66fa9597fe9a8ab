"""Invents the orders: who orders what on which day, at what price, and when it leaves."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

import company
import shape
from shape import FIRST_DAY, SNAPSHOT_DAY, TIERS, WORKING_DAYS, Tier, category_pace, dispatches

# --- chance -------------------------------------------------------------------------


class Dice:
    """Chance, reproducible: everything derives from `Random.random()`."""

    def __init__(self, seed):
        self._roll = random.Random(seed).random

    def between(self, low, high):
        return low + (high - low) * self._roll()

    def whole(self, low, high):
        """A whole number from low to high, both included."""
        return low + int((high - low + 1) * self._roll())

    def happens(self, chance):
        return self._roll() < chance

    def pick(self, weights):
        """A key of a dict, as often as its weight says."""
        left = self._roll() * total(weights.values())
        for key, weight in weights.items():
            left -= weight
            if left < 0:
                return key
        return key


def total(numbers):
    result = 0
    for number in numbers:
        result += number
    return result


# --- who and what -------------------------------------------------------------------


def cents(text):
    """'18.9' -> 1890"""
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int((part + "00")[:2])


def day_or(text, otherwise):
    return date.fromisoformat(text) if text else otherwise


@dataclass(eq=False)
class Product:
    row: dict
    id: int
    category_id: int
    list_cents: int  # today's
    pull: int
    lot: int
    since: date
    until: date

    @classmethod
    def of(cls, row):
        return cls(
            row,
            id=int(row["product_id"]),
            category_id=int(row["category_id"]),
            list_cents=cents(row["unit_price"]),
            pull=int(row["pull"]),
            lot=int(row["lot"]),
            since=day_or(row["since"], FIRST_DAY),
            until=day_or(row["until"], SNAPSHOT_DAY),
        )

    @property
    def discontinued(self):
        return bool(self.row["until"])

    def sold_on(self, day):
        return self.since <= day <= self.until

    def price_cents(self, day):
        """The list price of that day; before the rise it ended in 0 or 5 cents."""
        percent = shape.PRICE_RISE_PERCENT.get(self.category_id)
        if percent is None or day >= shape.PRICE_RISE_DAY:
            return self.list_cents
        step = 5 * (100 + percent)
        return (self.list_cents * 100 + step // 2) // step * 5


@dataclass
class Customer:
    row: dict
    country: str
    tier: Tier
    since: date
    until: date
    size: float
    rhythm: float  # progress towards the next order on an average day
    progress: float
    threshold: float
    bought: set = field(default_factory=set)

    @classmethod
    def of(cls, row, country, dice):
        tier = TIERS[row["tier"]]
        newcomer = bool(row["since"])
        threshold = dice.between(0.35, 1.65)
        return cls(
            row,
            country,
            tier,
            since=day_or(row["since"], FIRST_DAY),
            until=day_or(row["until"], SNAPSHOT_DAY),
            size=tier.size * dice.between(0.75, 1.3),
            rhythm=tier.orders * dice.between(0.65, 1.4) / len(WORKING_DAYS),
            progress=threshold - 0.02 if newcomer else threshold * dice.between(0, 1),
            threshold=threshold,
        )

    @property
    def id(self):
        return self.row["customer_id"]

    def wants_to_order(self, day, pace, dice):
        """Whether progress reaches the next order today; it then starts anew."""
        if not self.since <= day <= self.until:
            return False
        share, away = shape.AWAY.get(self.country, (1, ()))
        self.progress += self.rhythm * pace * (share if day in away else 1)
        if self.progress < self.threshold:
            return False
        self.progress = 0
        self.threshold = dice.between(0.35, 1.65)
        return True


@dataclass
class Line:
    product: Product
    price_cents: int
    quantity: int
    discount_percent: int

    @property
    def net_cents(self):
        return self.price_cents * self.quantity * (100 - self.discount_percent) / 100


@dataclass
class Order:
    customer: Customer
    day: date
    lines: list
    employee_id: int = 0
    required: date = None
    shipped: date = None  # None while open
    shipper_id: int = 0
    freight_cents: int = 0


# --- orders -------------------------------------------------------------------------


def trade(dice):
    """All orders, by date."""
    products = [Product.of(row) for row in company.PRODUCTS]
    customers = [
        Customer.of(row, country, dice)
        for country, rows in company.CUSTOMERS_BY_COUNTRY.items()
        for row in rows
        if row["tier"] != "-"
    ]
    pace = paces(products)
    orders = []
    for day in WORKING_DAYS:
        today = [customer for customer in customers if customer.wants_to_order(day, pace[day], dice)]
        arrival = {customer.id: dice.between(0, 1) for customer in today}
        for customer in sorted(today, key=lambda customer: arrival[customer.id]):
            order = Order(customer, day, basket(customer, day, products, dice))
            order.employee_id = salesperson(customer, day, dice)
            deliver(order, dice)
            orders.append(order)
    return products, orders


def paces(products):
    """How busy each working day is, 1.0 on average: what its seasons ask for, weekday, holidays."""
    share = {category: 0 for category in shape.SEASON}
    for product in products:
        share[product.category_id] += product.pull
    pace = {}
    for day in WORKING_DAYS:
        demand = total(share[category] * category_pace(category, day) for category in share)
        pace[day] = demand * shape.WEEKDAY_PACE[day.weekday()] * (0.2 if day in shape.SLACK else 1)
    mean = total(pace.values()) / len(pace)
    return {day: value / mean for day, value in pace.items()}


def basket(customer, day, products, dice):
    """The lines of an order, by product; no product twice."""
    liking = shape.LIKING[customer.row["kind"]]
    weights = {
        product: product.pull
        * category_pace(product.category_id, day)
        * liking.get(product.category_id, 1)
        * (shape.HABIT if product.id in customer.bought else 1)
        for product in products
        if product.sold_on(day)
    }
    companions = {product.id: product for product in weights}
    chosen = []
    for _ in range(dice.pick(dict(enumerate(customer.tier.line_counts, start=1)))):
        product = companions.get(shape.COMPANIONS.get(chosen[-1].id)) if chosen else None
        if product not in weights or not dice.happens(shape.COMPANION_CHANCE):
            product = dice.pick(weights)
        chosen.append(product)
        del weights[product]
    customer.bought.update(product.id for product in chosen)
    return [make_line(customer, product, day, dice) for product in sorted(chosen, key=lambda product: product.id)]


def make_line(customer, product, day, dice):
    low, high = dice.pick(shape.LOT_FACTORS)
    quantity = round_number(product.lot * customer.size * dice.between(low, high))
    lots = quantity / product.lot
    weights = next(weights for least, weights in shape.DISCOUNTS if lots >= least)
    return Line(product, product.price_cents(day), quantity, dice.pick(weights))


def round_number(quantity):
    """A quantity as people order it: the larger, the rounder."""
    step = 1 if quantity < 9 else 2 if quantity < 14 else 5 if quantity < 45 else 10
    return max(1, int(quantity / step + 0.5) * step)


# --- who looks after it, and how it gets there ----------------------------------------


def salesperson(customer, day, dice):
    since, before, after = shape.SOUTH_TEAM
    south = after if day >= since else before
    territory = south if customer.country in shape.SOUTH else shape.TERRITORIES[customer.country]
    return dice.pick(shape.HOUSE_ACCOUNTS.get(customer.id, territory))


def deliver(order, dice):
    country = order.customer.country
    zone = shape.ZONES["America" if country == "USA" else "Overseas" if country in shape.OVERSEAS else "Europe"]
    value_cents = total(line.net_cents for line in order.lines)
    order.shipper_id = dice.pick(zone.shippers)
    express = 1.6 if order.shipper_id == 4 else 1
    order.freight_cents = int((zone.base_cents + value_cents * zone.percent / 100) * express * dice.between(0.55, 1.45))

    window = dice.pick(shape.REQUIRED_DAYS)
    order.required = order.day + timedelta(days=window)
    if dice.happens(shape.LATE_CHANCE):
        shipped = first_dispatch(order.required + timedelta(days=dice.whole(1, 11)))
    else:
        planned = order.day + timedelta(days=max(1, int(window * dice.between(0.15, 0.95))))
        shipped = last_dispatch(order.day, planned) or first_dispatch(planned)
    order.shipped = shipped if shipped <= SNAPSHOT_DAY else None


def first_dispatch(day):
    """The first day from this one on when goods leave the warehouse."""
    while not dispatches(day):
        day += timedelta(days=1)
    return day


def last_dispatch(after, day):
    """The last day up to this one, but later than `after`, when goods leave the warehouse."""
    while day > after:
        if dispatches(day):
            return day
        day -= timedelta(days=1)
    return None


# --- stock --------------------------------------------------------------------------


def stock(product, orders, dice):
    """Units in stock (free to promise), units on order from the supplier, reorder level."""
    if product.discontinued:
        return (dice.pick({0: 60, 2: 20, 7: 20}), 0, 0)
    since = SNAPSHOT_DAY - timedelta(days=120)
    lines = [line for order in orders if order.day > since for line in order.lines if line.product is product]
    month = max(total(line.quantity for line in lines) / 4, product.lot)
    reorder_level = round_number(month * dice.between(0.5, 0.9))
    supply = dice.pick({"out": 4, "low": 16, "enough": 80})
    if supply == "enough":
        return (reorder_level + int(month * dice.between(0.2, 2.2)), 0, reorder_level)
    in_stock = 0 if supply == "out" else int(reorder_level * dice.between(0.15, 0.95))
    on_order = max(10, int(month * dice.between(1.2, 2.2) / 10 + 0.5) * 10)
    return (in_stock, on_order, reorder_level)
