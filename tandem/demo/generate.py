#!/usr/bin/env python3
"""Two years of trade of Tarnbeck Cycle Supply, the demo company, as eight CSV files.

    python3 generate.py           rewrite the files beside this script, byte for byte
    python3 generate.py --check   exit 1 if the files on disk differ from that

Tarnbeck is a wholesaler of bicycle parts and accessories in Duluth, Minnesota, with an
office in Sheffield. It buys from 25 makers and sells 90 products to some 120 shops,
workshops, rental fleets and web shops in 14 countries, in US dollars. Who they are
stands in `company.py`, what steers the trade in `shape.py`; `trade.py` invents the orders,
and this script writes the files, which README.md describes.

How the trade gets its shape:

  when      Every customer orders in a rhythm of its own: progress towards the next order
            accrues on each working day, faster in a busy season, hardly at all while
            its country is on holiday. A few key accounts order weekly, many small ones
            twice a year; some join, some leave.
  what      A product is chosen by its pull x the season and trend of its category x the
            liking of that kind of customer x habit (what was bought before is bought
            again). Tyres bring tubes along, brake pads bring rotors.
  how much  A typical lot x the size of the customer x a skewed factor: mostly small packs,
            now and then a bulk buy, in round numbers when large. Large lots earn a discount.
  price     The list price of the day. On PRICE_RISE_DAY it rose in some categories.
  delivery  Well before the required date as a rule, a few late; the warehouse rests for
            the annual stocktake, so month end leaves a tail of open orders.

The books stand at SNAPSHOT_DAY; nothing later is known. Amounts are kept in whole cents.
The same bytes on every machine and Python from 3.9: all chance comes from
`random.Random(SEED).random()`, floats meet only + - * / (built-in `sum` adds floats
differently from 3.12 on, so `total` stands in), and no clock is read.
"""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # no __pycache__ beside the data

import company  # noqa: E402
from shape import FIRST_ORDER_ID, SEED  # noqa: E402
from trade import Dice, stock, trade  # noqa: E402

HERE = Path(__file__).resolve().parent


def amount(in_cents):
    """1890 -> '18.9', as short as can be."""
    whole, part = divmod(in_cents, 100)
    return f"{whole}.{part:02}".rstrip("0").rstrip(".")


def fraction(percent):
    """15 -> '0.15', 0 -> '0.0'"""
    return str(percent / 100)


def timestamp(day):
    return f"{day.isoformat()} 00:00:00.000" if day else ""


def product_record(product, orders, dice):
    in_stock, on_order, reorder_level = stock(product, orders, dice)
    return {
        **product.row,
        "units_in_stock": in_stock,
        "units_on_order": on_order,
        "reorder_level": reorder_level,
        "discontinued": int(product.discontinued),
    }


def order_record(order_id, order, dice):
    """An order; where its customer has a depot, that is where a third of them go."""
    row = order.customer.row
    to = {**row, "ship_name": row["company_name"]}
    depot = company.DEPOTS.get(order.customer.id)
    if depot and dice.happens(1 / 3):
        to = depot
    return {
        "order_id": order_id,
        "customer_id": order.customer.id,
        "employee_id": order.employee_id,
        "order_date": timestamp(order.day),
        "required_date": timestamp(order.required),
        "shipped_date": timestamp(order.shipped),
        "ship_via": order.shipper_id,
        "freight": amount(order.freight_cents),
        "ship_name": to["ship_name"],
        "ship_address": to["address"],
        "ship_city": to["city"],
        "ship_region": to["region"],
        "ship_postal_code": to["postal_code"],
        "ship_country": order.customer.country,
    }


def line_record(order_id, line):
    return {
        "order_id": order_id,
        "product_id": line.product.id,
        "unit_price": amount(line.price_cents),
        "quantity": line.quantity,
        "discount": fraction(line.discount_percent),
    }


COLUMNS = {
    "customers": "customer_id company_name contact_name contact_title address city region postal_code country phone "
    "fax",
    "suppliers": "supplier_id company_name contact_name contact_title address city region postal_code country phone "
    "home_page",
    "categories": "category_id name description",
    "products": "product_id name supplier_id category_id quantity_per_unit unit_price "
    "units_in_stock units_on_order reorder_level discontinued",
    "employees": "employee_id last_name first_name title birth_date hire_date city country home_phone reports_to",
    "shippers": "shipper_id company_name phone",
    "orders": "order_id customer_id employee_id order_date required_date shipped_date ship_via freight "
    "ship_name ship_address ship_city ship_region ship_postal_code ship_country",
    "order_lines": "order_id product_id unit_price quantity discount",
}


def records():
    """The records of every file, by its name."""
    dice = Dice(SEED)
    products, orders = trade(dice)
    numbered = list(enumerate(orders, start=FIRST_ORDER_ID))
    customers = [{**row, "country": country} for country, rows in company.CUSTOMERS_BY_COUNTRY.items() for row in rows]
    return {
        "customers": sorted(customers, key=lambda row: row["customer_id"]),
        "suppliers": company.SUPPLIERS,
        "categories": company.CATEGORIES,
        "products": [product_record(product, orders, dice) for product in products],
        "employees": company.EMPLOYEES,
        "shippers": company.SHIPPERS,
        "orders": [order_record(order_id, order, dice) for order_id, order in numbered],
        "order_lines": [line_record(order_id, line) for order_id, order in numbered for line in order.lines],
    }


def files():
    """The bytes of every file, by its path."""
    return {HERE / f"{name}.csv": as_csv(COLUMNS[name].split(), rows) for name, rows in records().items()}


def as_csv(columns, rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def main(arguments):
    if arguments not in ([], ["--check"]):
        print("usage: generate.py [--check]", file=sys.stderr)
        return 2
    if not arguments:
        for path, content in files().items():
            path.write_bytes(content)
        return 0
    differing = [path.name for path, content in files().items() if not path.is_file() or path.read_bytes() != content]
    for name in differing:
        print(f"{name} is not what generate.py writes", file=sys.stderr)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
