package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"carillon/bench"
)

// riverPeer is River on a PostgreSQL of its own.
type riverPeer struct {
	tuned bool

	postgres *serverProcess
	at       string
	pool     *pgxpool.Pool
	client   *river.Client[pgx.Tx] // inserts only

	mu  sync.Mutex
	ids map[int]int64 // River's ids by ours
}

// args is a job's payload as it is.
type args struct{ raw []byte }

// Kind implements river.JobArgs.
func (args) Kind() string { return "reminder" }

// MarshalJSON implements json.Marshaler.
func (a args) MarshalJSON() ([]byte, error) { return a.raw, nil }

// UnmarshalJSON implements json.Unmarshaler.
func (a *args) UnmarshalJSON(b []byte) error {
	a.raw = append([]byte(nil), b...)
	return nil
}

func (p *riverPeer) start(dir string, callers int) error {
	as, err := postgresUser()
	if err != nil {
		return err
	}
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			return err
		}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(postgresBinary("initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
	initdb.Dir, initdb.SysProcAttr = dir, &syscall.SysProcAttr{Credential: as}
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %.500s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	settings := []string{"-D", data, "-p", strconv.Itoa(port), "-h", "127.0.0.1", "-k", dir, "-c", "max_connections=200"}
	if p.tuned {
		settings = append(settings, "-c", fmt.Sprintf("shared_buffers=%dMB", min(4096, memoryMB()/4)), "-c", "max_wal_size=16GB")
	}
	at := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres", port)
	p.postgres, err = launch(dir, as, func() error { return pingPostgres(at) }, postgresBinary("postgres"), settings...)
	if err != nil {
		return err
	}
	if err := p.attach(at, callers); err != nil {
		return err
	}
	m, err := rivermigrate.New(riverpgxv5.New(p.pool), &rivermigrate.Config{Logger: quiet})
	if err != nil {
		return err
	}
	_, err = m.Migrate(context.Background(), rivermigrate.DirectionUp, nil)
	return err
}

var quiet = slog.New(slog.DiscardHandler)

// postgresUser is who the server runs as: it refuses to be root's.
func postgresUser() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(err, err2)
}

// postgresBinary finds a program of the server: Debian keeps them out of the
// path.
func postgresBinary(name string) string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return name
	}
	return found[len(found)-1]
}

func pingPostgres(at string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, at)
	if err != nil {
		return err
	}
	return c.Close(ctx)
}

func memoryMB() int {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 4096
	}
	var kb int
	_, _ = fmt.Sscanf(string(b), "MemTotal: %d kB", &kb)
	return kb >> 10
}

func (p *riverPeer) address() string { return p.at }

func (p *riverPeer) attach(at string, callers int) (err error) {
	p.at, p.ids = at, map[int]int64{}
	conf, err := pgxpool.ParseConfig(at)
	if err != nil {
		return err
	}
	if p.tuned {
		conf.MaxConns = int32(callers)
	}
	if p.pool, err = pgxpool.NewWithConfig(context.Background(), conf); err != nil {
		return err
	}
	p.client, err = river.NewClient(riverpgxv5.New(p.pool), &river.Config{Logger: quiet})
	return err
}

func (p *riverPeer) schedule(j job) error {
	r, err := p.client.Insert(context.Background(), args{j.payload}, &river.InsertOpts{ScheduledAt: j.due})
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.ids[j.id] = r.Job.ID
	p.mu.Unlock()
	return nil
}

const riverBatch = 1000

func (p *riverPeer) load(jobs []job) error {
	return bench.Each((len(jobs)+riverBatch-1)/riverBatch, 4, func(_, k int) error {
		part := jobs[k*riverBatch : min((k+1)*riverBatch, len(jobs))]
		many := make([]river.InsertManyParams, len(part))
		for i, j := range part {
			many[i] = river.InsertManyParams{Args: args{j.payload}, InsertOpts: &river.InsertOpts{ScheduledAt: j.due}}
		}
		put, err := p.client.InsertMany(context.Background(), many)
		if err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		for i, r := range put {
			p.ids[part[i].id] = r.Job.ID
		}
		return nil
	})
}

func (p *riverPeer) settle() error {
	_, err := p.pool.Exec(context.Background(), "VACUUM ANALYZE river_job")
	return err
}

func (p *riverPeer) riverID(id int) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ids[id]
}

func (p *riverPeer) move(id int, due time.Time) error {
	return p.update("UPDATE river_job SET scheduled_at = $2 WHERE id = $1 AND state = 'scheduled'", p.riverID(id), due)
}

func (p *riverPeer) cancel(id int) error {
	return p.update("UPDATE river_job SET state = 'cancelled', finalized_at = $2 WHERE id = $1 AND state = 'scheduled'", p.riverID(id), time.Now())
}

func (p *riverPeer) update(sql string, id int64, at time.Time) error {
	tag, err := p.pool.Exec(context.Background(), sql, id, at)
	if err == nil && tag.RowsAffected() != 1 {
		err = fmt.Errorf("job %d is not there to be changed", id)
	}
	return err
}

// riverWorker does what it is told to do.
type riverWorker struct {
	river.WorkerDefaults[args]
	handle func(id int) error
}

// Work implements river.Worker.
func (w *riverWorker) Work(_ context.Context, j *river.Job[args]) error {
	id, err := idOf([]byte(strings.ReplaceAll(string(j.Args.raw), `": "`, `":"`))) // jsonb has its own spaces
	if err != nil {
		return err
	}
	return w.handle(id)
}

func (p *riverPeer) work(handle func(id int) error) error {
	workers := river.NewWorkers()
	river.AddWorker(workers, &riverWorker{handle: handle})
	conf := &river.Config{Logger: quiet, Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 100}}}
	if p.tuned {
		conf.Queues[river.QueueDefault] = river.QueueConfig{MaxWorkers: 500}
		conf.FetchCooldown, conf.FetchPollInterval = time.Millisecond, 5*time.Millisecond
		conf.JobTimeout, conf.RescueStuckJobsAfter = 10*time.Second, 20*time.Second
	}
	c, err := river.NewClient(riverpgxv5.New(p.pool), conf)
	if err != nil {
		return err
	}
	return c.Start(context.Background())
}

func (p *riverPeer) done() (n int, err error) {
	err = p.pool.QueryRow(context.Background(), "SELECT count(*) FROM river_job WHERE state = 'completed'").Scan(&n)
	return n, err
}

func (p *riverPeer) servers() []int { return p.postgres.pids() }

func (p *riverPeer) stop() { p.postgres.stop() }
