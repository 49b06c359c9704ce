// The number that the picture of each film shows, bit by bit; null while there is none.
() => [...document.querySelectorAll("#films figure")].map((figure) => {
  const video = figure.querySelector("video");
  if (video.readyState < 2 || video.seeking) return null;
  const brush = new OffscreenCanvas(192, 32).getContext("2d", { willReadFrequently: true });
  brush.drawImage(video, 0, 0, 192, 32);
  let number = 0;
  for (let bit = 0; bit < 8; bit += 1) if (brush.getImageData(bit * 24 + 12, 16, 1, 1).data[0] > 127) number += 1 << bit;
  return number;
})
