// Package bench measures carillon on the machine that it runs on: whole
// workloads, through the production actors and a journal on the real disk.
// Every figure is printed with what it was measured on; nothing is assumed.
package bench
