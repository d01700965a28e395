package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	flowpb "weir/proto"
	"weir/proxy/contain"
	"weir/proxy/packet/unseal"
	"weir/store"
)

func newImport(std stdio) *cobra.Command {
	var output, agent string
	var keyLogs []string
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Read captures of other tools into a session",
		Long: `Reads captures that other tools wrote into a session, which is made, or continued
if it exists. What a file is is told by its content, not by its name, also under
gzip, zstd or zlib; "-" reads standard input. The formats:
  HAR              HTTP Archives of browsers and other proxies: .har, .zhar
  mitmproxy        dumps of mitmproxy, versions 0.11 to 21: .mitm, .flow
  pcap and pcapng  packets, of which TCP streams and UDP exchanges are put together;
                   HTTP/1, HTTP/2, WebSocket, DNS and what TLS says in clear are
                   read, and what is missing in the capture is marked as a gap

TLS in packets is decrypted where its secrets are known: from --keylog, a file as
SSLKEYLOGFILE makes browsers, curl and weir itself write, or from the capture, where
a pcapng file carries them. What stays encrypted is a flow of its bytes that says why.

A flow that cannot be read is left out and named. A file that is damaged part
way is read up to there; the others are read all the same, and the exit code
is 1.`,
		Example: `  weir import devtools.har -o bug.weir
  tcpdump -w - port 80 | weir import - -o port80.weir
  zcat night.har.gz | weir import - -o night.weir
  weir import web.pcap --keylog keys.txt -o web.weir`,
		Args: usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runImport(cmd.Context(), std, output, agent, keyLogs, args)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "import into SESSION; one that exists is continued (required)")
	cmd.Flags().StringVar(&agent, "agent", "", agentHelp)
	cmd.Flags().StringArrayVar(&keyLogs, "keylog", nil, "take the secrets from FILE that decrypt TLS in packets, in the format of SSLKEYLOGFILE; may be given several times")
	return cmd
}

// imported counts what came of an import.
type imported struct{ files, flows, skipped, damaged int }

func runImport(ctx context.Context, std stdio, output, agent string, keyLogs, files []string) (err error) {
	if output == "" {
		return usagef("-o is missing: the session to import into").withHint("for example: weir import " + files[0] + " -o capture.weir")
	}
	keys, err := readKeyLogs(keyLogs)
	if err != nil {
		return err
	}
	session, fresh, err := openOrCreate(ctx, output, store.Options{Synchronous: store.SyncNormal, Bulk: true})
	if err != nil {
		return err
	}
	im := &importer{std: std, keys: keys, agent: agent}
	im.into.writer, err = session.NewWriter(ctx, store.WriterOptions{})
	if err == nil {
		im.into.writer.GiveUp() // a disk that is full is no reason to wait: the file can be read again
		err = im.files(ctx, session, files)
		if e := im.into.writer.Close(); err == nil {
			err = e
		}
	}
	if e := session.Close(); err == nil {
		err = e
	}
	if fresh && im.done.files == 0 && im.into.empty() {
		err = errors.Join(err, os.Remove(output))
	}
	fmt.Fprintf(std.err, "imported %s from %s", counted(im.done.flows, "flow"), counted(im.done.files, "file"))
	if im.done.skipped > 0 {
		fmt.Fprintf(std.err, ", left out %d that cannot be read", im.done.skipped)
	}
	fmt.Fprintln(std.err)
	if err == nil && im.done.damaged > 0 {
		err = fmt.Errorf("%d of %d files could not be read to their end", im.done.damaged, len(files))
	}
	return err
}

// importer reads files into one session.
type importer struct {
	std   stdio
	keys  *unseal.Log // of all files
	name  string      // of the file being read
	whole bool        // all of it is there to be read
	agent string      // the name that the user gave
	into  wholes
	done  imported
}

// files reads one after the other. What is wrong with a file is told at once and
// does not keep the next from being read; what is wrong with the session ends it all.
func (im *importer) files(ctx context.Context, s *store.Session, names []string) error {
	for _, name := range names {
		damage, err := im.contained(ctx, name)
		if e := im.into.annotate(ctx, s); err == nil {
			err = e
		}
		if err != nil {
			return err
		}
		if damage != nil {
			im.done.damaged++
			report(im.std.err, fmt.Errorf("import %q: %w", name, damage))
			continue
		}
		im.done.files++
	}
	return nil
}

// contained reads one file. A mistake in weir that panics is damage as any other.
func (im *importer) contained(ctx context.Context, name string) (damage, err error) {
	damage = contain.Call(func() (damage error) {
		damage, err = im.file(ctx, name)
		return damage
	}, func(p *contain.PanicError) error {
		err := fmt.Errorf("weir made a mistake: %w", p)
		return hinted(err, keepStack(time.Now(), err.Error(), string(p.Stack)))
	})
	return damage, err
}

// file reads one file: damage is what is wrong with it, err with anything else.
func (im *importer) file(ctx context.Context, name string) (damage, err error) {
	im.name, im.into.agent = name, agentWords("import", importName(name), im.agent)
	in, err := openInput(im.std, name)
	if err != nil {
		return err, nil
	}
	defer in.Close()
	im.whole = isRegular(in)
	return im.read(ctx, in)
}

// flows imports what comes flow by flow.
func (im *importer) flows(ctx context.Context, r flowReader) (damage, err error) {
	for {
		whole, err := r.Next()
		var skip *flowpb.SkipError
		switch {
		case errors.As(err, &skip):
			im.done.skipped++
			report(im.std.err, fmt.Errorf("import %q: left out %w", im.name, skip))
			continue
		case errors.Is(err, io.EOF):
			return nil, nil
		case err != nil:
			return err, nil
		}
		if err := im.into.add(ctx, whole); err != nil {
			return nil, err
		}
		im.done.flows++
	}
}
