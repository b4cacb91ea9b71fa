//! Is it still healthy?
