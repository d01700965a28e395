package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"
)

// sources writes .proto files into a fresh directory and returns it.
func sources(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCompileOrdersImports(t *testing.T) {
	dir := sources(t, map[string]string{
		"a.proto": `syntax = "proto3"; import "b.proto"; import "google/protobuf/empty.proto"; message A { B b = 1; google.protobuf.Empty e = 2; }`,
		"b.proto": `syntax = "proto3"; message B {}`,
	})
	req, err := compile(t.Context(), dir, []string{"a.proto"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, file := range req.GetProtoFile() {
		got = append(got, file.GetName())
	}
	if want := []string{"b.proto", "google/protobuf/empty.proto", "a.proto"}; !slices.Equal(got, want) {
		t.Errorf("files in request: got %q, want %q", got, want)
	}
}

func TestCompileReportsEveryError(t *testing.T) {
	dir := sources(t, map[string]string{
		"a.proto": "syntax = \"proto3\";\nmessage A {\n  Nowhere x = 1;\n  Missing y = 2;\n}\n",
	})
	_, err := compile(t.Context(), dir, []string{"a.proto"})
	if err == nil {
		t.Fatal("got no error for a file with unknown types")
	}
	for _, want := range []string{"a.proto:3:3", "Nowhere", "a.proto:4:3", "Missing"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not contain %q:\n%v", want, err)
		}
	}
}

func TestRunIsDeterministic(t *testing.T) {
	in := sources(t, map[string]string{
		"a.proto": "syntax = \"proto3\";\noption go_package = \"a.test/a;apb\";\n// A is told.\nmessage A { optional bytes b = 1; }\n",
	})
	var outputs [2]string
	for i := range outputs {
		out := t.TempDir()
		if err := run(t.Context(), in, out, []string{"a.proto"}); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(out, "a.pb.go"))
		if err != nil {
			t.Fatal(err)
		}
		outputs[i] = string(text)
	}
	if outputs[0] != outputs[1] {
		t.Error("two runs over one input gave different code")
	}
	for _, want := range []string{"package apb\n", "// A is told.\ntype A struct"} {
		if !strings.Contains(outputs[0], want) {
			t.Errorf("generated code lacks %q", want)
		}
	}
}

func TestWriteStaysInside(t *testing.T) {
	for _, name := range []string{"../out.go", "/out.go", "a/../../out.go", ""} {
		resp := &pluginpb.CodeGeneratorResponse{
			File: []*pluginpb.CodeGeneratorResponse_File{{Name: proto.String(name), Content: proto.String("package x\n")}},
		}
		if err := write(t.TempDir(), resp); err == nil {
			t.Errorf("write of %q: got no error", name)
		}
	}
}
