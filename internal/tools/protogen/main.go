// Command protogen turns .proto files into Go without protoc: the compiler is
// protocompile, which is Go, and the generator is the pinned protoc-gen-go of
// this module, driven over the same pipe that protoc would use.
//
//	go -C internal/tools run ./protogen -I ../../proto -o ../../proto flow.proto
//
// It must run inside this module, since `go tool` resolves the generator from
// the go.mod of the working directory. Names on the command line are relative
// to the import directory, as in protoc, and outputs keep them
// (paths=source_relative). The output depends on the inputs and on the pinned
// versions alone, so that a check may regenerate and compare bytes.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	importDir := flag.String("I", ".", "directory that the names of .proto files are relative to")
	outDir := flag.String("o", ".", "directory to write the generated Go files to")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: protogen [-I DIR] [-o DIR] FILE.proto...")
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *importDir, *outDir, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "protogen:", err)
		os.Exit(1)
	}
}

// run compiles names, asks protoc-gen-go for their Go code and writes it.
func run(ctx context.Context, importDir, outDir string, names []string) error {
	req, err := compile(ctx, importDir, names)
	if err != nil {
		return err
	}
	resp, err := generate(ctx, req)
	if err != nil {
		return err
	}
	return write(outDir, resp)
}

// compile parses and links the files and puts them, each after what it
// imports, into the request a protoc plugin expects. Errors carry file, line
// and column, and all of them are returned, not only the first.
func compile(ctx context.Context, importDir string, names []string) (*pluginpb.CodeGeneratorRequest, error) {
	var problems []error
	compiler := protocompile.Compiler{
		Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
			ImportPaths: []string{importDir},
		}),
		// Comments become Go doc comments, so they must survive.
		SourceInfoMode: protocompile.SourceInfoStandard,
		Reporter: reporter.NewReporter(func(err reporter.ErrorWithPos) error {
			problems = append(problems, err)
			return nil
		}, func(warning reporter.ErrorWithPos) {
			fmt.Fprintln(os.Stderr, "protogen: warning:", warning)
		}),
	}
	files, err := compiler.Compile(ctx, names...)
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	if err != nil {
		return nil, fmt.Errorf("compile %v: %w", names, err)
	}

	req := &pluginpb.CodeGeneratorRequest{
		FileToGenerate: names,
		Parameter:      proto.String("paths=source_relative"),
	}
	seen := make(map[string]bool)
	for _, file := range files {
		addFile(req, seen, file)
	}
	return req, nil
}

// addFile appends file to the request after its imports, each file once.
func addFile(req *pluginpb.CodeGeneratorRequest, seen map[string]bool, file protoreflect.FileDescriptor) {
	if seen[file.Path()] {
		return
	}
	seen[file.Path()] = true
	imports := file.Imports()
	for i := range imports.Len() {
		addFile(req, seen, imports.Get(i).FileDescriptor)
	}
	req.ProtoFile = append(req.ProtoFile, protoutil.ProtoFromFileDescriptor(file))
}

// generate runs protoc-gen-go on the request, over its standard streams.
func generate(ctx context.Context, req *pluginpb.CodeGeneratorRequest) (*pluginpb.CodeGeneratorResponse, error) {
	in, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("encode request to protoc-gen-go: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "tool", "protoc-gen-go")
	cmd.Stdin = bytes.NewReader(in)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run protoc-gen-go: %w", err)
	}
	resp := new(pluginpb.CodeGeneratorResponse)
	if err := proto.Unmarshal(out, resp); err != nil {
		return nil, fmt.Errorf("decode answer of protoc-gen-go: %w", err)
	}
	if resp.Error != nil {
		return nil, fmt.Errorf("protoc-gen-go: %s", resp.GetError())
	}
	return resp, nil
}

// write stores each generated file under dir. A name that would leave dir is
// refused.
func write(dir string, resp *pluginpb.CodeGeneratorResponse) error {
	for _, file := range resp.GetFile() {
		name := filepath.FromSlash(file.GetName())
		if !filepath.IsLocal(name) {
			return fmt.Errorf("write generated file: %q is outside the output directory", file.GetName())
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write generated file: %w", err)
		}
		if err := os.WriteFile(path, []byte(file.GetContent()), 0o644); err != nil {
			return fmt.Errorf("write generated file: %w", err)
		}
	}
	return nil
}
