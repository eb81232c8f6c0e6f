package main

import (
	"context"
	"io"
	"sync/atomic"

	"carillon/actors"
	"carillon/engine"
	"carillon/httpapi"
)

// backend is the node as HTTP sees it. While the node recovers there is none
// yet, and requests are told so.
type backend struct{ node atomic.Pointer[actors.Node] }

var _ httpapi.Backend = (*backend)(nil)

// Do implements httpapi.Backend.
func (b *backend) Do(ctx context.Context, userID string, cmd engine.Command, key string, keyHash uint64) (engine.Reply, error) {
	n := b.node.Load()
	if n == nil {
		return nil, actors.ErrRecovering
	}
	return n.Do(ctx, userID, cmd, key, keyHash)
}

// DoAll implements httpapi.Backend.
func (b *backend) DoAll(ctx context.Context, calls []engine.Call) {
	n := b.node.Load()
	if n == nil {
		for i := range calls {
			calls[i].Err = actors.ErrRecovering
		}
		return
	}
	n.DoAll(ctx, calls)
}

// StartVerification implements httpapi.Backend.
func (b *backend) StartVerification(ctx context.Context, userID, phone, key string, keyHash uint64) (engine.Reply, error) {
	n := b.node.Load()
	if n == nil {
		return nil, actors.ErrRecovering
	}
	return n.StartVerification(ctx, userID, phone, key, keyHash)
}

// CheckVerification implements httpapi.Backend.
func (b *backend) CheckVerification(ctx context.Context, userID, code, key string, keyHash uint64) (engine.Reply, error) {
	n := b.node.Load()
	if n == nil {
		return nil, actors.ErrRecovering
	}
	return n.CheckVerification(ctx, userID, code, key, keyHash)
}

// Users implements httpapi.Backend.
func (b *backend) Users(ctx context.Context, after string, limit int) ([]engine.UserView, string, error) {
	n := b.node.Load()
	if n == nil {
		return nil, "", actors.ErrRecovering
	}
	return n.Users(ctx, after, limit)
}

// Timeline implements httpapi.Backend.
func (b *backend) Timeline(ctx context.Context, userID string, after uint64, limit int) ([]engine.TimelineEntry, uint64, bool, error) {
	n := b.node.Load()
	if n == nil {
		return nil, 0, false, actors.ErrRecovering
	}
	return n.Timeline(ctx, userID, after, limit)
}

// UserByPhone implements httpapi.Backend.
func (b *backend) UserByPhone(ctx context.Context, phone string) (string, bool, error) {
	n := b.node.Load()
	if n == nil {
		return "", false, actors.ErrRecovering
	}
	return n.UserByPhone(ctx, phone)
}

// SetPaused implements httpapi.Backend.
func (b *backend) SetPaused(ctx context.Context, paused bool) error {
	n := b.node.Load()
	if n == nil {
		return actors.ErrRecovering
	}
	return n.SetPaused(ctx, paused)
}

// Stats implements httpapi.Backend.
func (b *backend) Stats(context.Context) any {
	n := b.node.Load()
	if n == nil {
		return actors.Stats{}
	}
	return n.Stats()
}

// Backup implements httpapi.Backend.
func (b *backend) Backup(ctx context.Context, w io.Writer) error {
	n := b.node.Load()
	if n == nil {
		return actors.ErrRecovering
	}
	return n.Backup(ctx, w)
}

var roles = map[string]httpapi.Role{
	"read": httpapi.RoleRead, "write": httpapi.RoleWrite, "admin": httpapi.RoleAdmin,
}

// Role implements httpapi.Backend. Until the node is there its keys are not
// known, so nobody is let in.
func (b *backend) Role(key string) (httpapi.Role, bool) {
	n := b.node.Load()
	if n == nil {
		return httpapi.RoleNone, false
	}
	role, ok := n.KeyRole(key)
	return roles[role], ok
}

// Ready implements httpapi.Backend.
func (b *backend) Ready() (bool, string) {
	n := b.node.Load()
	if n == nil {
		return false, "recovering"
	}
	return n.Ready()
}
