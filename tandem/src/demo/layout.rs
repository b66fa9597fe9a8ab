//! The columns of the eight files, in their order; `tandem/demo/README.md` says what is in them.

/// The layout of a file. The first column is its id, where it has one.
pub(super) struct Layout {
    pub(super) file: &'static str,
    pub(super) columns: &'static [&'static str],
}

pub(super) const CUSTOMERS: Layout = Layout {
    file: "customers.csv",
    columns: &[
        "customer_id",
        "company_name",
        "contact_name",
        "contact_title",
        "address",
        "city",
        "region",
        "postal_code",
        "country",
        "phone",
        "fax",
    ],
};
pub(super) const SUPPLIERS: Layout = Layout {
    file: "suppliers.csv",
    columns: &[
        "supplier_id",
        "company_name",
        "contact_name",
        "contact_title",
        "address",
        "city",
        "region",
        "postal_code",
        "country",
        "phone",
        "home_page",
    ],
};
pub(super) const CATEGORIES: Layout = Layout {
    file: "categories.csv",
    columns: &["category_id", "name", "description"],
};
pub(super) const PRODUCTS: Layout = Layout {
    file: "products.csv",
    columns: &[
        "product_id",
        "name",
        "supplier_id",
        "category_id",
        "quantity_per_unit",
        "unit_price",
        "units_in_stock",
        "units_on_order",
        "reorder_level",
        "discontinued",
    ],
};
pub(super) const EMPLOYEES: Layout = Layout {
    file: "employees.csv",
    columns: &[
        "employee_id",
        "last_name",
        "first_name",
        "title",
        "birth_date",
        "hire_date",
        "city",
        "country",
        "home_phone",
        "reports_to",
    ],
};
pub(super) const SHIPPERS: Layout = Layout {
    file: "shippers.csv",
    columns: &["shipper_id", "company_name", "phone"],
};
pub(super) const ORDERS: Layout = Layout {
    file: "orders.csv",
    columns: &[
        "order_id",
        "customer_id",
        "employee_id",
        "order_date",
        "required_date",
        "shipped_date",
        "ship_via",
        "freight",
        "ship_name",
        "ship_address",
        "ship_city",
        "ship_region",
        "ship_postal_code",
        "ship_country",
    ],
};
pub(super) const ORDER_LINES: Layout = Layout {
    file: "order_lines.csv",
    columns: &["order_id", "product_id", "unit_price", "quantity", "discount"],
};
