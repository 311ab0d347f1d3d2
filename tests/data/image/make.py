"""Makes the pictures in this folder: python make.py FOLDER. Needs Pillow, ImageMagick's convert and cwebp.

All show the same 32 x 24 pixels: quarters of one colour each, red | green over blue | yellow, so that a test can say
what must be where after any decoding and any turn."""
import os
import subprocess
import sys

from PIL import Image

QUARTERS = [[(200, 30, 40), (40, 180, 60)], [(50, 60, 210), (220, 200, 80)]]
W, H = 32, 24
os.chdir(sys.argv[1])

picture = Image.new("RGB", (W, H))
picture.putdata([QUARTERS[y * 2 // H][x * 2 // W] for y in range(H) for x in range(W)])
clear = picture.convert("RGBA")
clear.putalpha(Image.linear_gradient("L").resize((W, H)))


def convert(*arguments):
    subprocess.run(["convert", *arguments], check=True)


picture.save("rgb.png")
clear.save("rgba.png")
picture.convert("L").save("grey.png")
picture.convert("LA").save("grey_alpha.png")
picture.quantize(4).save("palette.png")
convert("rgb.png", "-interlace", "PNG", "interlaced.png")
convert("rgb.png", "-evaluate", "multiply", "1.0", "-depth", "16", "-define", "png:bit-depth=16",
        "-define", "png:color-type=2", "deep.png")
convert("grey.png", "-depth", "16", "-define", "png:bit-depth=16", "-define", "png:color-type=0", "deep_grey.png")
convert("rgb.png", "-threshold", "50%", "-define", "png:bit-depth=1", "-define", "png:color-type=0", "bits.png")

picture.save("baseline.jpg", quality=95)
picture.save("progressive.jpg", quality=95, progressive=True)
picture.convert("L").save("grey.jpg", quality=95)
picture.convert("CMYK").save("cmyk.jpg", quality=95)
convert("cmyk.jpg", "-quality", "95", "-define", "jpeg:sampling-factor=1x1", "ycck.jpg")
picture.save("444.jpg", quality=95, subsampling=0)
for orientation in range(1, 9):
    back = {1: None, 2: Image.FLIP_LEFT_RIGHT, 3: Image.ROTATE_180, 4: Image.FLIP_TOP_BOTTOM, 5: Image.TRANSPOSE,
            6: Image.ROTATE_90, 7: Image.TRANSVERSE, 8: Image.ROTATE_270}[orientation]
    stored = picture if back is None else picture.transpose(back)
    exif = Image.Exif()
    exif[274] = orientation
    stored.save(f"exif{orientation}.jpg", quality=95, exif=exif)
    if orientation == 6:
        stored.save("exif6.png", exif=exif)
        stored.save("exif6.webp", lossless=True, exif=exif)
        stored.save("exif6.tif", tiffinfo={274: 6})

picture.save("rgb.bmp")
picture.quantize(4).save("palette.bmp")
convert("rgb.png", "-define", "bmp:subtype=RGB565", "565.bmp")
subprocess.run(["cwebp", "-quiet", "-q", "95", "rgb.png", "-o", "lossy.webp"], check=True)
subprocess.run(["cwebp", "-quiet", "-lossless", "rgb.png", "-o", "lossless.webp"], check=True)
subprocess.run(["cwebp", "-quiet", "-q", "95", "rgba.png", "-o", "alpha.webp"], check=True)
picture.save("animated.webp", save_all=True, append_images=[picture.transpose(Image.ROTATE_180)], duration=100)
for name, compression in (("raw", None), ("lzw", "tiff_lzw"), ("deflate", "tiff_adobe_deflate")):
    picture.save(f"{name}.tif", compression=compression)
convert("rgb.png", "-depth", "16", "deep.tif")
picture.convert("1").save("bits.tif", compression="group4")
picture.quantize(4).save("still.gif")
picture.quantize(4).save("animated.gif", save_all=True, append_images=[picture.transpose(Image.ROTATE_180).quantize(4)],
                         duration=100)
