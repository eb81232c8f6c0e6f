// Package providertest has scriptable fakes of the ports, and the conformance
// suites that hold fakes and vendors to each sentence of the ports' comments.
package providertest
