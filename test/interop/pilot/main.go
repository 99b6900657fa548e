// Asks istiod's own packages what they make of Istio resources: which they accept, and the Envoy configuration of a
// gateway. Reads a JSON list of cases from standard input and writes one of answers, in the same order.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"google.golang.org/protobuf/proto"
	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pilot/pkg/features"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/networking/core"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/config/schema/collections"
	"istio.io/istio/pkg/config/schema/resource"
	"istio.io/istio/pkg/log"
	"istio.io/istio/pkg/test"
	"istio.io/istio/pkg/util/protomarshal"
)

type question struct {
	Mesh             json.RawMessage   `json:"mesh"`
	Resources        []json.RawMessage `json:"resources"`
	SeveralProviders bool              `json:"severalProviders"`
	// Only whether each resource is accepted.
	OnlyValidate bool `json:"onlyValidate"`
}

type answer struct {
	// Of each resource, in order; empty where it is accepted.
	Refusals []string `json:"refusals"`
	Warnings []string `json:"warnings"`
	// What istiod would send to the gateway.
	Listeners []json.RawMessage `json:"listeners,omitempty"`
	Routes    []json.RawMessage `json:"routes,omitempty"`
	Clusters  []json.RawMessage `json:"clusters,omitempty"`
	Failure   string            `json:"failure,omitempty"`
}

func main() {
	options := log.DefaultOptions()
	options.SetDefaultOutputLevel("all", log.NoneLevel)
	_ = log.Configure(options)
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	answers := make([]answer, len(questions))
	for at, one := range questions {
		answers[at] = translate(one)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func translate(asked question) (given answer) {
	configs := []config.Config{}
	for _, text := range asked.Resources {
		parsed, warning, err := parse(text)
		given.Refusals = append(given.Refusals, messageOf(err))
		given.Warnings = append(given.Warnings, warning)
		if err == nil {
			configs = append(configs, *parsed)
		}
	}
	if asked.OnlyValidate {
		return given
	}
	features.EnableMultipleCustomAuthzProviders = asked.SeveralProviders
	err := test.Wrap(func(failer test.Failer) {
		meshConfig := mesh.DefaultMeshConfig()
		if len(asked.Mesh) > 0 {
			applied, err := mesh.ApplyMeshConfig(string(asked.Mesh), meshConfig)
			if err != nil {
				failer.Fatal(err)
			}
			meshConfig = applied
		}
		world := core.NewConfigGenTest(failer, core.TestOptions{Configs: configs, MeshConfig: meshConfig})
		proxy := world.SetupProxy(gateway())
		listeners := world.Listeners(proxy)
		given.Listeners = marshalled(failer, listeners)
		given.Routes = marshalled(failer, world.RoutesFromListeners(proxy, listeners))
		given.Clusters = marshalled(failer, world.Clusters(proxy))
	})
	given.Failure = messageOf(err)
	return given
}

// The pod of Istio's own ingress gateway.
func gateway() *model.Proxy {
	labels := map[string]string{"app": "istio-ingressgateway", "istio": "ingressgateway"}
	return &model.Proxy{
		Type:            model.Router,
		IPAddresses:     []string{"127.0.0.1"},
		ID:              "istio-ingressgateway.istio-system",
		ConfigNamespace: "istio-system",
		DNSDomain:       "istio-system.svc.cluster.local",
		Labels:          labels,
		Metadata:        &model.NodeMetadata{Namespace: "istio-system", Labels: labels, IstioVersion: "1.31.0"},
	}
}

func parse(text []byte) (*config.Config, string, error) {
	object := crd.IstioKind{}
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, "", err
	}
	kind := object.GroupVersionKind()
	schema, isKnown := collections.PilotGatewayAPI().FindByGroupVersionAliasesKind(resource.FromKubernetesGVK(&kind))
	if !isKnown {
		return nil, "", fmt.Errorf("unknown kind %v", kind)
	}
	parsed, err := crd.ConvertObject(schema, &object, "cluster.local")
	if err != nil {
		return nil, "", err
	}
	if parsed.Namespace == "" {
		parsed.Namespace = "istio-system"
	}
	if parsed.CreationTimestamp.IsZero() {
		parsed.CreationTimestamp = time.Unix(0, 0)
	}
	warning, err := schema.ValidateConfig(*parsed)
	return parsed, messageOf(warning), err
}

func marshalled[T proto.Message](failer test.Failer, messages []T) []json.RawMessage {
	texts := make([]json.RawMessage, 0, len(messages))
	for _, one := range messages {
		text, err := protomarshal.Marshal(one)
		if err != nil {
			failer.Fatal(err)
		}
		texts = append(texts, text)
	}
	return texts
}

func messageOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
