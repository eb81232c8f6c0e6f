package wal

// defaultReserveBytes is kept free at most, and a reserveShare-th of the disk.
const (
	defaultReserveBytes = 64 << 20
	reserveShare        = 20
)

// LowOnSpace says that the file system is about to be full. The caller then
// refuses new work, while what is in flight may still append into the reserve.
// It becomes true below the reserve and false again at twice the reserve, so
// that it does not flutter. If the file system does not answer, the last
// answer holds. It costs one system call.
func (db *DB) LowOnSpace() bool {
	free, total, err := FreeBytes(db.dir)
	if err != nil {
		return db.low.Load()
	}
	reserve := db.opts.ReserveBytes
	if reserve == 0 {
		reserve = min(defaultReserveBytes, total/reserveShare)
	}
	low := free < reserve || db.low.Load() && free < 2*reserve
	db.low.Store(low)
	return low
}
