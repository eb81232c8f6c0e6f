package sim

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ReadSeeds reads kept seeds, one a line: the number, then what is not the
// default, as in "2031 faults=all users=3 days=2 pace=dense without=hang,stall
// bolt"; # begins a comment.
func ReadSeeds(r io.Reader) ([]Options, error) {
	var out []Options
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		seed, err := strconv.ParseUint(fields[0], 10, 64)
		if err != nil {
			return nil, err
		}
		opt := Options{Seed: seed}
		for _, f := range fields[1:] {
			if err := opt.set(f); err != nil {
				return nil, err
			}
		}
		out = append(out, opt)
	}
	return out, lines.Err()
}

func (o *Options) set(field string) (err error) {
	k, v, _ := strings.Cut(field, "=")
	switch k {
	case "faults":
		o.Faults = v
	case "pace":
		o.Pace = v
	case "bolt":
		o.Bolt = true
	case "users":
		o.Users, err = strconv.Atoi(v)
	case "days":
		o.Days, err = strconv.Atoi(v)
	case "without":
		for name := range strings.SplitSeq(v, ",") {
			c, ok := ParseClass(name)
			if !ok {
				return fmt.Errorf("sim: no fault class %q in a line of seeds", name)
			}
			o.Without = append(o.Without, c)
		}
	default:
		err = fmt.Errorf("sim: %q in a line of seeds", field)
	}
	return err
}

// Line is the run as ReadSeeds reads it.
func (o *Options) Line() string {
	out := []string{strconv.FormatUint(o.Seed, 10)}
	if o.Faults != "" && o.Faults != FaultsSwarm {
		out = append(out, "faults="+o.Faults)
	}
	if o.Pace != "" {
		out = append(out, "pace="+o.Pace)
	}
	if o.Users != 0 {
		out = append(out, "users="+strconv.Itoa(o.Users))
	}
	if o.Days != 0 {
		out = append(out, "days="+strconv.Itoa(o.Days))
	}
	if len(o.Without) > 0 {
		names := make([]string, len(o.Without))
		for i, c := range o.Without {
			names[i] = c.String()
		}
		out = append(out, "without="+strings.Join(names, ","))
	}
	if o.Bolt {
		out = append(out, "bolt")
	}
	return strings.Join(out, " ")
}

// Command is the command line that repeats the run.
func (o *Options) Command() string {
	out := []string{"carillon sim run --seed"}
	for f := range strings.FieldsSeq(o.Line()) {
		k, v, ok := strings.Cut(f, "=")
		switch {
		case k == "without":
			for name := range strings.SplitSeq(v, ",") {
				out = append(out, "--without", name)
			}
		case ok:
			out = append(out, "--"+k, v)
		case k == "bolt":
			out = append(out, "--bolt")
		default:
			out = append(out, k)
		}
	}
	return strings.Join(out, " ")
}
