package main

import (
	"crypto/rand"
	"errors"
	"fmt"

	"carillon/actors"
	"carillon/wal"
)

type keysCmd struct {
	Add    keysAddCmd    `cmd:"" help:"Make a key and store its hash. The key is shown once."`
	List   keysListCmd   `cmd:"" help:"List the stored keys."`
	Revoke keysRevokeCmd `cmd:"" help:"Remove a key."`
}

// The engine reads the keys at its start, and holds the store's lock: these
// commands are for a stopped one.

type keysAddCmd struct {
	storeSettings
	Role string `required:"" enum:"read,write,admin" help:"What it may do: ${enum}; each includes the ones before."`
	Note string `help:"Whose it is."`
}

// Run makes a key.
func (c *keysAddCmd) Run(p *program) (err error) {
	store, err := c.openOrBegin(p)
	if err != nil {
		return storageError{err}
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	secret := "ck_" + rand.Text()
	k, err := actors.StoreKey(store, secret, c.Role, c.Note, actors.SystemClock{}.Now())
	if err != nil {
		return storageError{err}
	}
	_, err = fmt.Fprintf(p.stdout, "%s\nid %s, role %s. It is not stored and not shown again.\n", secret, k.ID, k.Role)
	return err
}

// openOrBegin makes the store that the first key may come before, and says so: the
// folder may be a mistyped one, whose key no engine will know.
func (c *keysAddCmd) openOrBegin(p *program) (*wal.DB, error) {
	store, err := c.open()
	if !errors.Is(err, wal.ErrMissing) {
		return store, err
	}
	if store, err = wal.Open(c.DataDir, wal.Options{}); err != nil { // a file of it is missing
		return nil, err
	}
	_, _ = fmt.Fprintf(p.stderr, "there was no store in %s: it is begun with this key\n", c.DataDir)
	return store, nil
}

type keysListCmd struct{ storeSettings }

// Run lists keys.
func (c *keysListCmd) Run(p *program) (err error) {
	store, err := c.open()
	if err != nil {
		return storageError{err}
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	keys, err := actors.Keys(store)
	if err != nil {
		return storageError{err}
	}
	for _, k := range keys {
		if _, err := fmt.Fprintf(p.stdout, "%s  %-5s  %s  %s\n", k.ID, k.Role, instant(k.CreatedAt), k.Note); err != nil {
			return err
		}
	}
	return nil
}

type keysRevokeCmd struct {
	storeSettings
	ID string `arg:"" help:"Id of the key, as keys list shows it."`
}

// Run removes a key.
func (c *keysRevokeCmd) Run(p *program) (err error) {
	store, err := c.open()
	if err != nil {
		return storageError{err}
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	found, err := actors.RevokeKey(store, c.ID, actors.SystemClock{}.Now())
	switch {
	case err != nil:
		return storageError{err}
	case !found:
		return fmt.Errorf("no key of id %q", c.ID)
	}
	_, err = fmt.Fprintln(p.stdout, "revoked", c.ID)
	return err
}
