//! From the text of an expression to the typed tree: `parse`, then `resolve` every expression of the file against one
//! set of `Types`, then `settle` the types, then `finish` each draft. All problems are reported at once, with places.
