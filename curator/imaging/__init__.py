"""File to pixels and capture data; the only importer of rawpy, Pillow, OpenCV and simplejpeg.

containers  what a file is, by content, and where the camera's notes are in it
heads       size, notes and colors of HEIC, AVIF, WebP and PNG without their pixels; by png, too
tiff        the directories EXIF and most RAWs are made of
exif        notes -> Capture; xmp fills in what only XMP or IPTC says
packets     what a picture carries of a person's stars and keywords: XMP, IPTC, EXIF Rating
decode      file -> Picture (upright, sRGB) or UnreadableError; by jpeg, stills, deep and raw
color      embedded profiles -> sRGB, by their content; icc reads what is in them,
            spaces makes them of what else names colors
damage      wrong parts of a JPEG that no decoder notices
quality     full-resolution pixels -> sharpness and exposure
look        a picture -> a line of text that near-equal pictures share
proxy       proxies and thumbnails: names, writing, reading back
"""
