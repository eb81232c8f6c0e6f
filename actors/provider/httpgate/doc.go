// Package httpgate is a carrier that is described instead of programmed: a
// regional gateway with an HTTP API. Where to post, what, and how to read the
// answer is configuration.
//
// What holds for Twilio holds here (S3): one Send is one request, and only the
// gateway's own word is an answer. What it does not say, it can't be asked: a
// gateway without a look-up leaves a lost answer uncertain until its deadline,
// and nobody is texted twice. How long a call may take is its ctx's to say.
package httpgate
