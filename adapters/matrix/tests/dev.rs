#[path = "../../../tests/it/synapse.rs"]
mod synapse;
#[path = "../../../tests/it/operator.rs"]
mod operator;
#[path = "../../../tests/it/matrix.rs"]
mod matrix;
