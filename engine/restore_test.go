package engine_test

import (
	"testing"
	"time"

	"carillon/engine"
)

// TestLookUpOfRestoredBeginsAtTheBackup: what is due since a restored backup
// may have been sent before it was due, by a send-now that the backup does not
// know of (S3).
func TestLookUpOfRestoredBeginsAtTheBackup(t *testing.T) {
	u := &engine.User{ID: "ada"}
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC).UnixMilli()
	do := func(cmd engine.Command) engine.Decision {
		return engine.Decide(u, engine.Env{Now: now, Zone: time.LoadLocation, Policy: engine.DefaultPolicy()}, cmd)
	}
	do(engine.UpdateUser{Create: true, Zone: engine.Some("UTC"), Quiet: engine.Some(engine.Quiet{})})
	do(engine.AttestPhone{Phone: "+12025550123"})
	do(engine.CreateReminder{Text: "Water the plants", SendAt: now + 3_600_000})
	backup := now + 60_000
	now += 3_700_000
	do(engine.Recover{BackupAt: backup})
	now += 30_000
	for _, e := range do(engine.Wake{}).Effects {
		if l, ok := e.(engine.LookUp); ok {
			if l.Since != backup {
				t.Errorf("the look-up begins %d ms behind the backup", l.Since-backup)
			}
			return
		}
	}
	t.Fatal("no look-up")
}
