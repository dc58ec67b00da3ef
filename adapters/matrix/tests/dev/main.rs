mod matrix;
mod operator;
mod synapse;
