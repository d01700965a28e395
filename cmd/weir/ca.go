package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"weir/proxy/ca"
)

// caFlags say which certificate authority to use.
type caFlags struct {
	config string
	file   string
}

func (f *caFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.config, "config", "", "configuration DIR, where the certificate authority lives (default: the user's)")
	cmd.Flags().StringVar(&f.file, "ca", "", "use the certificate authority in FILE (PEM: key and certificate, RSA or ECDSA) instead; a directory of mitmproxy's will do")
}

// load returns the authority the flags name; the one of the configuration
// directory is made when it is not there yet.
func (f *caFlags) load() (*ca.Authority, error) {
	if f.file != "" {
		return ca.LoadFile(f.file)
	}
	dir, err := configDir(f.config)
	if err != nil {
		return nil, err
	}
	return ca.Load(dir)
}

func newCA(std stdio) *cobra.Command {
	var flags caFlags
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "The certificate authority that clients have to trust",
		Long: `To read HTTPS, weir answers clients with certificates of its own authority,
made on first use and kept, with its private key, in the configuration
directory. Clients have to trust it; 'weir ca trust-help' says how.`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	show := &cobra.Command{
		Use:   "show",
		Short: "Print the authority's name, validity, fingerprint and file",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			a, err := flags.load()
			if err != nil {
				return err
			}
			return showCA(std, a)
		},
	}
	var output string
	export := &cobra.Command{
		Use:   "export",
		Short: "Print the certificate (without the key) as PEM",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			a, err := flags.load()
			if err != nil {
				return err
			}
			return exportCert(std, a, output)
		},
	}
	export.Flags().StringVarP(&output, "output", "o", "", "write to FILE instead of standard output")
	help := &cobra.Command{
		Use:   "trust-help",
		Short: "Say how to make systems, browsers and languages trust it",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			a, err := flags.load()
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(std.out, a.TrustHelp())
			return err
		},
	}
	for _, sub := range []*cobra.Command{show, export, help} {
		flags.register(sub)
		cmd.AddCommand(sub)
	}
	return cmd
}

// exportCert writes the certificate, never over a private key: the file it came
// from is the likeliest to be named by mistake.
func exportCert(std stdio, a *ca.Authority, output string) error {
	if output == "" || output == "-" {
		if _, err := std.out.Write(a.CertPEM()); err != nil {
			return fmt.Errorf("write the certificate: %w", err)
		}
		return nil
	}
	if holdsKey(output) {
		return usagef("-o %q: there is a private key in it", output).withHint("choose another name; the key would be lost")
	}
	if err := os.WriteFile(output, a.CertPEM(), 0o644); err != nil {
		return outputError(output, err)
	}
	return nil
}

// maxKeyFile is how far into a file a private key is looked for, in bytes.
const maxKeyFile = 1 << 20

// holdsKey reports whether there is a regular file at path with a private key in PEM.
func holdsKey(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	have, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	return err == nil && bytes.Contains(have, []byte("PRIVATE KEY-----"))
}

func showCA(std stdio, a *ca.Authority) error {
	cert := a.Certificate()
	_, err := fmt.Fprintf(std.out, "subject      %s\nvalid        %s to %s\nkey          %s\nSHA-256      %s\n",
		cert.Subject, cert.NotBefore.UTC().Format("2006-01-02"), cert.NotAfter.UTC().Format("2006-01-02"),
		cert.PublicKeyAlgorithm, a.Fingerprint())
	if err == nil && a.CertFile() != "" {
		_, err = fmt.Fprintf(std.out, "certificate  %s\n", a.CertFile())
	}
	return err
}
