package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"carillon/bench"
)

// asynqPeer is asynq on a Redis of its own.
type asynqPeer struct {
	fsync string
	tuned bool

	redis  *serverProcess
	at     string
	conn   *redis.Client
	client *asynq.Client
	look   *asynq.Inspector
}

func (p *asynqPeer) start(dir string, callers int) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	at := fmt.Sprintf("127.0.0.1:%d", port)
	p.redis, err = launch(dir, nil, func() error { return accepts(at) }, "redis-server",
		"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir, "--daemonize", "no",
		"--appendonly", "yes", "--appendfsync", p.fsync, "--save", "", "--no-appendfsync-on-rewrite", "no")
	if err != nil {
		return err
	}
	return p.attach(at, callers)
}

func (p *asynqPeer) address() string { return p.at }

func (p *asynqPeer) attach(at string, _ int) error {
	p.at = at
	p.conn = redis.NewClient(&redis.Options{Addr: at})
	p.client = asynq.NewClient(p.options())
	p.look = asynq.NewInspector(p.options())
	return p.conn.Ping(context.Background()).Err()
}

func (p *asynqPeer) options() asynq.RedisClientOpt {
	o := asynq.RedisClientOpt{Addr: p.at}
	if p.tuned {
		o.PoolSize = 256
	}
	return o
}

func (p *asynqPeer) schedule(j job) error {
	_, err := p.client.Enqueue(asynq.NewTask("reminder", j.payload), asynq.TaskID(strconv.Itoa(j.id)), asynq.ProcessAt(j.due), asynq.Retention(24*time.Hour))
	return err
}

// load has no batches to use.
func (p *asynqPeer) load(jobs []job) error {
	return bench.Each(len(jobs), 256, func(_, i int) error { return p.schedule(jobs[i]) })
}

func (p *asynqPeer) settle() error { return nil }

// move can't be atomic: the task is deleted and put in again.
func (p *asynqPeer) move(id int, due time.Time) error {
	if err := p.cancel(id); err != nil {
		return err
	}
	return p.schedule(newJob(id, due))
}

func (p *asynqPeer) cancel(id int) error { return p.look.DeleteTask("default", strconv.Itoa(id)) }

func (p *asynqPeer) work(handle func(id int) error) error {
	h := asynq.HandlerFunc(func(_ context.Context, t *asynq.Task) error {
		id, err := idOf(t.Payload())
		if err != nil {
			return err
		}
		return handle(id)
	})
	servers, conf := 1, asynq.Config{LogLevel: asynq.FatalLevel}
	if p.tuned {
		servers = 40
		conf.Concurrency, conf.DelayedTaskCheckInterval, conf.TaskCheckInterval = 16, 100*time.Millisecond, 20*time.Millisecond
	}
	for range servers {
		if err := asynq.NewServer(p.options(), conf).Start(h); err != nil {
			return err
		}
	}
	return nil
}

func (p *asynqPeer) done() (int, error) {
	n, err := p.conn.ZCard(context.Background(), "asynq:{default}:completed").Result()
	return int(n), err
}

func (p *asynqPeer) servers() []int { return p.redis.pids() }

func (p *asynqPeer) stop() {
	if p.conn != nil {
		_ = errors.Join(p.client.Close(), p.look.Close(), p.conn.Close())
	}
	p.redis.stop()
}
