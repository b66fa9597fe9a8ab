//! crm-service
