// Package waltest has Mem, a log in memory under the same contract as wal.DB,
// with faults drawn from a seed, and the one conformance suite that holds both
// to the contract. Mem is also the model that wal.DB is compared with.
package waltest
