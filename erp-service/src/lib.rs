//! erp-service
