// Codes seen by a telephone's camera, where its browser can read them (Barcode Detection API).
const FORMATS = ['code_128', 'data_matrix', 'qr_code', 'ean_13', 'itf'];
const EVERY_MS = 200;
const AGAIN_MS = 3000; // the same code seen again sooner is the same scan

/** Let a button start and stop the camera; `found` is given each code once. */
export async function camera(button, picture, found) {
  if (!('BarcodeDetector' in globalThis) || !navigator.mediaDevices?.getUserMedia) return;
  const known = await globalThis.BarcodeDetector.getSupportedFormats().catch(() => []);
  const formats = FORMATS.filter((one) => known.includes(one));
  if (!formats.length) return;
  const detector = new globalThis.BarcodeDetector({ formats });
  const seen = new Map();
  let stream = null;
  button.hidden = false;
  button.addEventListener('click', async () => {
    if (stream) return stop();
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
    } catch {
      return; // refused, or none there: typing goes on
    }
    button.setAttribute('aria-pressed', 'true');
    picture.hidden = false;
    picture.srcObject = stream;
    await picture.play();
    look();
  });

  async function look() {
    if (!stream) return;
    for (const one of await detector.detect(picture).catch(() => [])) {
      const now = Date.now();
      if (now - (seen.get(one.rawValue) ?? 0) > AGAIN_MS) await found(one.rawValue);
      seen.set(one.rawValue, now);
    }
    setTimeout(look, EVERY_MS);
  }

  function stop() {
    for (const track of stream.getTracks()) track.stop();
    stream = null;
    picture.hidden = true;
    button.setAttribute('aria-pressed', 'false');
  }
}
