"""From files to pixels and capture data; besides bench the only importer of rawpy and Pillow.

containers          file formats by content, and where their metadata is
image_headers       size, metadata and colors of HEIC, AVIF, WebP and PNG (png) without decoding
tiff                the directories of EXIF and of most RAW files
exif                capture data of any file; exif_fields reads EXIF, xmp adds XMP and IPTC
embedded_metadata   ratings and keywords in a picture, as bytes and plain values
embedded_thumbnail  the thumbnail that cameras embed
decode              file -> Picture (upright, sRGB); uses jpeg, stills, deep and raw
color               conversion to sRGB; icc reads and builds profiles, spaces knows code points
damage              damage of a JPEG that no decoder notices
quality             full-resolution pixels -> sharpness and exposure
perceptual_hash     similar pictures have similar hashes
proxy               proxies and thumbnails on disk
screen              pixels for the screen; overlay measures, overlay_mask draws overlays
export_jpeg         exported JPEGs; export_exif builds their EXIF
"""
