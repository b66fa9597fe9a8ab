//! Tables of the module; see `migrations/`.
