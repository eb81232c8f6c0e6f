// Command peers measures carillon and others on the same work, in turn and in
// one sitting: asynq on Redis, River on PostgreSQL, message schedules of NATS
// JetStream, and an append with fdatasync as what the disk allows. It is a
// module of its own, so that their dependencies stay out of carillon's.
package main
