package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"carillon/bench"
)

// natsPeer is the message schedules of a JetStream of its own.
type natsPeer struct {
	sync bool

	nats     *serverProcess
	at       string
	conn     *nats.Conn
	js       jetstream.JetStream
	stream   jetstream.Stream
	consumer jetstream.Consumer
}

const natsRole = "nats-server"

// serveNATS is the server's process.
func serveNATS(port, dir, sync string) error {
	n, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: n, JetStream: true, StoreDir: dir, SyncAlways: sync == "always", NoSigs: true, NoLog: true,
	})
	if err != nil {
		return err
	}
	s.Start()
	s.WaitForShutdown()
	return nil
}

func (p *natsPeer) start(dir string, callers int) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	sync := "interval"
	if p.sync {
		sync = "always"
	}
	p.at = fmt.Sprintf("127.0.0.1:%d", port)
	p.nats, err = launch(dir, nil, func() error { return accepts(p.at) }, self, natsRole, strconv.Itoa(port), dir, sync)
	if err != nil {
		return err
	}
	return p.attach(p.at, callers)
}

func (p *natsPeer) address() string { return p.at }

func (p *natsPeer) attach(at string, _ int) (err error) {
	p.at = at
	if p.conn, err = nats.Connect(at); err != nil {
		return err
	}
	if p.js, err = jetstream.New(p.conn, jetstream.WithPublishAsyncMaxPending(4000)); err != nil {
		return err
	}
	return p.create()
}

func (p *natsPeer) create() (err error) {
	ctx := context.Background()
	p.stream, err = p.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: "reminders", Subjects: []string{"sched.>", "due.>"}, Storage: jetstream.FileStorage, AllowMsgSchedules: true,
	})
	if err != nil {
		return err
	}
	p.consumer, err = p.stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: "worker", FilterSubject: "due.>", AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 20_000,
	})
	return err
}

func message(j job) *nats.Msg {
	m := nats.NewMsg("sched." + strconv.Itoa(j.id))
	m.Data = j.payload
	m.Header.Set(jetstream.ScheduleHeader, "@at "+j.due.UTC().Format(time.RFC3339Nano))
	m.Header.Set(jetstream.ScheduleTargetHeader, "due."+strconv.Itoa(j.id))
	return m
}

func (p *natsPeer) schedule(j job) error {
	_, err := p.js.PublishMsg(context.Background(), message(j))
	return err
}

func (p *natsPeer) load(jobs []job) error {
	if p.sync {
		return bench.Each(len(jobs), 64, func(_, i int) error { return p.schedule(jobs[i]) })
	}
	acks := make([]jetstream.PubAckFuture, 0, len(jobs))
	for _, j := range jobs {
		ack, err := p.js.PublishMsgAsync(message(j), jetstream.WithStallWait(30*time.Second))
		if err != nil {
			return err
		}
		acks = append(acks, ack)
	}
	<-p.js.PublishAsyncComplete()
	for _, a := range acks {
		select {
		case err := <-a.Err():
			return err
		default:
		}
	}
	return nil
}

func (p *natsPeer) settle() error { return nil }

func (p *natsPeer) move(id int, due time.Time) error { return p.schedule(newJob(id, due)) }

func (p *natsPeer) cancel(id int) error {
	return p.stream.Purge(context.Background(), jetstream.WithPurgeSubject("sched."+strconv.Itoa(id)))
}

func (p *natsPeer) work(handle func(id int) error) error {
	todo := make(chan jetstream.Msg, 4096)
	for range 256 {
		go func() {
			for m := range todo {
				id, err := idOf(m.Data())
				if err == nil {
					err = handle(id)
				}
				if err == nil {
					_ = m.Ack()
				}
			}
		}()
	}
	_, err := p.consumer.Consume(func(m jetstream.Msg) { todo <- m }, jetstream.PullMaxMessages(1000))
	return err
}

func (p *natsPeer) done() (int, error) {
	info, err := p.consumer.Info(context.Background())
	if err != nil {
		return 0, err
	}
	return int(info.Delivered.Consumer) - info.NumAckPending - info.NumRedelivered, nil
}

func (p *natsPeer) servers() []int { return p.nats.pids() }

func (p *natsPeer) stop() {
	if p.conn != nil {
		p.conn.Close()
	}
	p.nats.stop()
}
