"""Makes the pictures in this folder: python make.py FOLDER. Needs Pillow, OpenCV 4.6, ImageMagick's convert, cwebp and webpmux.

All but the waves show the same 32 x 24 pixels: quarters of one colour each, red | green over blue | yellow, so that a test can say
what must be where after any decoding and any turn."""
import math
import os
import subprocess
import sys

import cv2
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
# Of 16 bits, the low ones are not those of the high ones: which byte is which can be told.
convert("rgb.png", "-evaluate", "add", "20", "-depth", "16", "-define", "png:bit-depth=16",
        "-define", "png:color-type=2", "deep.png")
convert("grey.png", "-evaluate", "add", "20", "-depth", "16", "-define", "png:bit-depth=16",
        "-define", "png:color-type=0", "deep_grey.png")
picture.convert("L").point(lambda v: 255 if v > 127 else 0).convert("1").save("bits.png")

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
# An animation whose first frame does not fill it.
picture.crop((8, 6, 24, 18)).save("part.webp", lossless=True)
subprocess.run(["webpmux", "-frame", "part.webp", "+100+8+6+0+b", "-frame", "part.webp", "+100+0+0+0+b", "-o",
                "animated_part.webp"], check=True)
os.remove("part.webp")
for name, compression in (("raw", None), ("lzw", "tiff_lzw"), ("deflate", "tiff_adobe_deflate")):
    picture.save(f"{name}.tif", compression=compression)
convert("rgb.png", "-evaluate", "add", "20", "-depth", "16", "deep.tif")
convert("bits.png", "-compress", "Group4", "bits.tif")
picture.quantize(4).save("still.gif")
picture.quantize(4).save("animated.gif", save_all=True, append_images=[picture.transpose(Image.ROTATE_180).quantize(4)],
                         duration=100)

# Nothing flat, odd sizes: decoded with loss, and beside it what OpenCV makes of it.
waves = Image.new("RGB", (37, 29))
waves.putdata([(int(127 + 120 * math.sin(x / 2 + y / 5)), int(127 + 120 * math.sin(x / 3 - y / 2)), (x * 37 + y * 91) % 256)
               for y in range(29) for x in range(37)])
waves.save("waves.jpg", quality=85)
waves.save("waves_progressive.jpg", quality=70, progressive=True, subsampling=1)
waves.convert("CMYK").save("waves_cmyk.jpg", quality=85)
waves.save("waves.webp", quality=75)
waves.crop((0, 0, 36, 28)).save("waves_even.webp", quality=60)
for name in ("waves.jpg", "waves_progressive.jpg", "waves_cmyk.jpg", "waves.webp", "waves_even.webp"):
    cv2.imwrite(name + ".png", cv2.imread(name))
