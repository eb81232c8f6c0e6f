// Writes segments.jsonl: what Twilio's own calculator says of texts drawn
// from a fixed seed. Run in a scratch directory:
//
//   npm install sms-segments-calculator@1.3.0
//   node expect.mjs > segments.jsonl
//
// The same versions write the same bytes: comparing with the committed file
// (cmp) shows that nobody edited it by hand. Last done with Node.js 20.20.2.
import { createRequire } from 'node:module';
const require = createRequire(process.cwd() + '/');
const { SegmentedMessage } = require('sms-segments-calculator');

let seed = 20261123;
const rnd = (n) => { // xorshift32
  seed ^= seed << 13; seed >>>= 0; seed ^= seed >>> 17; seed ^= seed << 5; seed >>>= 0;
  return seed % n;
};
const gsm = [...'@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'];
const ext = [...'^{}\\[~]|€\f'];
const cyr = [...'абвгдежзийклмнопрстуфхцчшщъыьэюя '];
const mix = [...'çğışőűłşț“”‘’–—…•`漢字かなकष्ァ'];
const emoji = ['😀', '👍', '👩‍💻', '🇩🇪', '❤️', '👨‍👩‍👧', '𝒳'];
const pick = (a) => a[rnd(a.length)];
const texts = ['', '\n', '\r\n', '\t', '`', '€'];
const around = (alphabet, at, rare, n) => {
  for (let i = 0; i < n; i++) {
    const len = Math.max(0, at + rnd(13) - 6);
    let s = '';
    for (let j = 0; j < len; j++) s += rare.length && rnd(12) === 0 ? pick(rare) : pick(alphabet);
    texts.push(s);
  }
};
for (const at of [3, 20, 80, 153, 160, 306, 320, 459]) { around(gsm, at, [], 100); around(gsm, at, ext, 150); }
for (const at of [3, 20, 67, 70, 134, 140, 201]) { around(cyr, at, [], 80); around(cyr, at, emoji, 120); around(gsm, at, mix, 80); around(gsm, at, emoji, 80); }
for (let n = 148; n < 164; n++) for (const tail of ['€', 'a€', '€€', '€aaaaaaaaaa']) texts.push('a'.repeat(n) + tail);
for (let n = 62; n < 72; n++) for (const tail of ['😀', 'я😀', '😀😀😀😀😀']) texts.push('я'.repeat(n) + tail);
for (const t of texts) {
  const m = new SegmentedMessage(t, 'auto');
  let units = 0;
  for (const c of m.encodedChars) units += c.isGSM7 && m.encodingName === 'GSM-7' ? c.codeUnits.length : [...c.raw].reduce((n, r) => n + r.length, 0);
  process.stdout.write(JSON.stringify({ text: t, encoding: m.encodingName, segments: m.segmentsCount, units }) + '\n');
}
