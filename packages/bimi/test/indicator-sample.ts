/** A small image of the profile that BIMI asks for. */
export const sampleSvg = Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg" version="1.2" baseProfile="tiny-ps" viewBox="0 0 8 8">' +
    '<title>Example</title><rect width="8" height="8" fill="#c30"/></svg>',
);
