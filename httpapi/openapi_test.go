package httpapi

import (
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestDocumentAndRoutes: the document is valid OpenAPI 3.1, describes every
// route, and describes nothing else.
func TestDocumentAndRoutes(t *testing.T) {
	t.Parallel()
	raw, err := openapiJSON()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var served, described []string
	for _, rt := range routes() {
		served = append(served, rt.method+" "+rt.pattern)
		op := doc.Paths.Value(rt.pattern)
		if op == nil || op.GetOperation(rt.method) == nil {
			continue // told below
		}
		checkOperation(t, rt, op, op.GetOperation(rt.method))
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	slices.Sort(served)
	slices.Sort(described)
	if !slices.Equal(served, described) {
		t.Errorf("served:\n%s\ndescribed:\n%s", strings.Join(served, "\n"), strings.Join(described, "\n"))
	}
}

// checkOperation holds role, body and key of a route to what is said of it.
func checkOperation(t *testing.T, rt route, item *openapi3.PathItem, op *openapi3.Operation) {
	t.Helper()
	name := rt.method + " " + rt.pattern
	if words := map[Role]string{RoleRead: "Role read", RoleWrite: "Role write", RoleAdmin: "Role admin"}; rt.role != RoleNone && !strings.HasPrefix(op.Description, words[rt.role]) {
		t.Errorf("%s: the description does not begin with %q", name, words[rt.role])
	}
	if open := op.Security != nil; open != (rt.role == RoleNone) {
		t.Errorf("%s: its role is %d, its security %v", name, rt.role, op.Security)
	}
	if (op.RequestBody != nil) != (rt.body != bodyNone) {
		t.Errorf("%s: its body is described otherwise", name)
	}
	for param := range strings.SplitSeq(rt.pattern, "/") {
		if param = strings.Trim(param, "{}"); strings.HasSuffix(param, "_id") && item.Parameters.GetByInAndName("path", param) == nil {
			t.Errorf("%s: %s is not described", name, param)
		}
	}
	for code, answer := range op.Responses.Map() {
		if code >= "400" && rt.pattern != "/readyz" && answer.Value.Content.Get("application/problem+json") == nil {
			t.Errorf("%s: %s is no problem document", name, code)
		}
	}
}

// TestProblemCodesAreDescribed: each code that can be on the wire is among the
// document's examples.
func TestProblemCodesAreDescribed(t *testing.T) {
	t.Parallel()
	raw, err := openapiJSON()
	if err != nil {
		t.Fatal(err)
	}
	for code := range faults {
		if !strings.Contains(string(raw), `"`+code+`"`) {
			t.Errorf("%s is not in the document", code)
		}
	}
	for _, code := range []string{
		codeInvalidJSON, codeUnknownField, codeMissingField, codeInvalidField, codeReadOnlyField, codeDuplicateField, codeInvalidPhone,
		codeUnauthorized, codeForbidden, codeNotFound, codeMethod, codeBodyTooLarge, codeTooManyLines, codeMediaType, codeTimeout,
		codeHeaderTooLarge, codeBadRequest, codeBadSignature,
	} {
		if !strings.Contains(string(raw), `"`+code+`"`) {
			t.Errorf("%s is not in the document", code)
		}
	}
}
